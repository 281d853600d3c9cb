"""Classifiers on disk, labelled files, and training with scikit-learn."""
