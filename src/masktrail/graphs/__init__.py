"""Graphs of networks: their functions written as files that engines other than torch compute."""
