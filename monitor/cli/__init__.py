"""The commands of `redpost`. What a command needs is imported inside it, so that `--help` is quick."""
