"""What packed records are to type checkers. The module is a stub's part: at run time its name is that of
`rowmill._rowmill`."""

from collections.abc import Iterable
from typing import Any, Self, final

from typing_extensions import Buffer

from rowmill._rowmill import Column

class Record:
    """What classes of packed records derive from."""

    def __new__(cls, *args: Any, **fields: Any) -> Self: ...
    @classmethod
    def open(cls, data: Buffer, /) -> Self:
        """A record of bytes, which are read where they lie."""
    @classmethod
    def open_all(cls, records: Column | Iterable[Buffer | None], /) -> list[Self | None]:
        """Many of them: of a column they share its memory."""
    def replace(self, **fields: Any) -> Self:
        """The same with other values in some fields."""
    def __replace__(self, **fields: Any) -> Self: ...
    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]: ...

@final
class PackedClass:
    """What a class of records is made of: `rowmill._packed` reads it from the annotations."""

    def __new__(
        cls,
        name: str,
        fields: list[tuple[str, str, type[Any] | None, bool, bool, bool, str]],
        defaults: dict[str, Any],
    ) -> Self: ...
    def property(self, name: str) -> Any:
        """What reads a field of a record."""
