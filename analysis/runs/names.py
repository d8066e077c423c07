"""What stands in result rows by name, for whoever writes them and whoever reads them: nothing here computes."""

#: Codes of a model that the engine refused as it was asked, or of which a matrix could not be inverted.
REFUSED, NO_SOLUTION = "refused", "no_solution"
#: The model of the plan: every scale of the theory is one factor.
THEORETICAL = "theoretical"
#: The model after all decisions that stand.
FINAL = "final"
#: A model that a researcher added: ``own_`` and the number of its row.
OWN = "own_"
#: What a researcher may choose. FIML uses everybody's answers; WLSMV takes answers as ordered categories.
ESTIMATORS = ("MLR", "ML", "MLM", "FIML", "WLSMV")

#: What teams are compared by.
COMPARED_BY = ("sector", "mode", "form")

#: What teams are grouped by to see who did not answer. Size and way of asking are known of teams that took part only.
FACTORS = ("sector", "form", "mode", "size", "institution", "academy")
OF_ALL_TEAMS = ("sector", "form", "institution", "academy")
#: Lowest number of teachers of every class of size but the first.
SIZES = (10.0, 20.0, 40.0)
#: Above so many teams a plot of points is a smudge: they are counted in cells.
MOST_POINTS, CELLS = 400, 20
SCORE, QUESTION, COUNTED = "score ", "question ", "teams counted"
