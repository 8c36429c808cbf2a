"""The speech engines of the recipe, by name."""

from .base import Engine, EngineMissing, Request
from .espeak import Espeak
from .festival import Festival
from .flite import Flite
from .kokoro import Kokoro

__all__ = ["ENGINES", "Engine", "EngineMissing", "Request"]

ENGINES = {engine.name: engine for engine in (Kokoro, Espeak, Flite, Festival)}
