"""Stations and the weather they measure."""
