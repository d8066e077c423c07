"""Sealed answers as a data set: dispositions, imports, open answers, coarser columns."""
