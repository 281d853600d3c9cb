"""The log on Kafka: a topic of frames, each partition a log of its own."""
