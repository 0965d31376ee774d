"""Real parts that tests of every room share: brokers, subscribers. No mocks."""
