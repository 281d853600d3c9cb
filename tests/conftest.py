"""What tests of all folders share: one Kafka and one PostgreSQL for the whole session, not for each file."""

pytest_plugins = ["tests.parts.kafka", "tests.parts.postgres"]
