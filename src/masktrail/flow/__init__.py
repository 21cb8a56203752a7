"""Optical flow: files and pictures of it."""
