"""The program `python -m analysis.psychometrics`: models and descriptions of a data file."""
