"""What researchers read of a run: tables, figures and words, from its rows alone.

Words are made in two modules: of the codes that a run's rows hold (run_words.py), and of what the psychometrics engine finds
wrong (engine_words.py). Whole sentences with figures stand where the page that says them is made.
"""
