"""The content of a stream: typed state with declared kinds of field, and the one fold over it."""

from .answer import Answer
from .fold import Fold
from .media import first_image
from .several import answers, has_content
from .tool_calls import arguments_of
from .usage import usage_report

__all__ = ["Answer", "Fold", "answers", "arguments_of", "first_image", "has_content", "usage_report"]
