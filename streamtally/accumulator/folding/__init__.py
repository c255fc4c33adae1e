"""What a stream says: typed state with declared kinds of field, and the onefold over it."""

from .answer import Answer
from .fold import Fold
from .media import first_image
from .tool_calls import arguments_of

__all__ = ["Answer", "Fold", "arguments_of", "first_image"]
