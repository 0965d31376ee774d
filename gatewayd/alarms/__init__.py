"""Alarms: what people must hear of and answer, from the moment it is raised until it is over."""
