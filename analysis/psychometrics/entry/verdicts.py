"""Whether two scales can be told apart: the words in which discriminant.py says it."""

CANNOT_BE_TOLD_APART = "cannot be told apart"
HARDLY_TOLD_APART = "can hardly be told apart"
CAN_BE_TOLD_APART = "can be told apart"
