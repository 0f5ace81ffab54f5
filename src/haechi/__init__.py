"""Haechi takes non-consensual deepfakes down and keeps them down."""
