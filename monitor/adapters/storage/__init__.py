"""What is kept: the store of findings and alerts (a database) and the archive of judged events (Parquet)."""
