"""Real parts that tests need: brokers and databases, started by the scripts of deploy/dev."""
