"""What a team, an academy and everybody are shown of a run: knows disclosure/, knows no request.

Words are made in two modules. sentences.py: what is said of one scale, from its shown figures; it knows no report. wording.py:
what stands around them (heads of tables, captions, how to read it), from a whole report. Both know shown figures only.
"""
