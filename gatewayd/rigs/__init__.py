"""One filling position: the pure state machine, presence, identity, permits, and the actor."""
