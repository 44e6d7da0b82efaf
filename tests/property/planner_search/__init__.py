"""Tests of the route search."""
