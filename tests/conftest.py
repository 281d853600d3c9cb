"""What tests of all folders share: one Kafka and one PostgreSQL for the whole session, not for each file; and that no
example of Hypothesis fails for having taken long."""

from hypothesis import settings

pytest_plugins = ["tests.parts.kafka", "tests.parts.postgres"]

settings.register_profile("redpost", deadline=None)
settings.load_profile("redpost")
