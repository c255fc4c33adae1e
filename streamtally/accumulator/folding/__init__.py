"""The content of a stream: typed state with declared kinds of field, and the one fold over it."""

from .answer import Answer
from .fold import Fold
from .media import first_image
from .tool_calls import arguments_of

__all__ = ["Answer", "Fold", "arguments_of", "first_image"]
