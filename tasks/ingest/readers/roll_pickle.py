"""The pickled official piano-rolls, read by a restricted unpickler that can only build numbers and containers of them.

A pickle is a program for a stack machine. This machine has only the instructions of protocols 2 to 5 that a dictionary
of lists of numbers needs. It knows two global names, by which the official files write note numbers:
`numpy.core.multiarray.scalar` (also as `numpy._core...`) and `numpy.dtype`. Even these do not call numpy; they only
build a Python integer of at most eight bytes. Every other instruction or name is refused before it has any effect.

Why not Python's `Unpickler` with an allow-list: `numpy.dtype('O')` and `scalar` would unpickle their arguments, BUILD
can set attributes of allowed objects, one instruction of five bytes makes it reserve gigabytes for its memo, and
hashing a deeply nested key crashes the process. What this does not do: decide what is a piano-roll
(`official_rolls.py`).
"""

from collections.abc import Callable
from typing import Any

from infra.errors import CorpusError

PICKLE_BYTES = 64 * 2**20
"""Largest size of a pickle. That of JSB Chorales has 2,051,809 bytes for 23,134 frames; MuseData has 392,296 frames."""
INSTRUCTIONS = 24_000_000
"""Largest number of instructions, which bounds the time."""
OBJECTS = 12_000_000
"""Largest number of lists, tuples, texts and other objects, which bounds the memory."""
TEXT_BYTES = 64
"""Largest size of a text in bytes."""

_NEWEST_PROTOCOL = 5
_SIZES = {f"{sign}{size}": size for sign in "iu" for size in (1, 2, 4, 8)}


class _Scalar:
    """Stands for numpy.core.multiarray.scalar."""


class _DtypeType:
    """Stands for numpy.dtype."""


class _Dtype:
    """Stands for a dtype of integers."""

    def __init__(self, code: str) -> None:
        self.code = code


_GLOBALS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy._core.multiarray", "scalar"): _Scalar,
    ("numpy", "dtype"): _DtypeType,
}


def read_pickle(name: str, data: bytes) -> Any:
    """The contents of a pickle: dictionaries, lists, tuples, texts, integers and None.

    Args:
        name: of the file, for messages.
        data: its bytes.

    Raises:
        CorpusError: the pickle is damaged, too large, or asks for any other object.
    """
    if len(data) > PICKLE_BYTES:
        raise CorpusError(f"{name}: over the limit of {PICKLE_BYTES:,} bytes for a pickle")
    try:
        return _Machine(data).run()
    except _Refused as error:
        raise CorpusError(f"{name}: {error}, which no piano-roll needs; nothing of it is read or run") from error
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise CorpusError(f"{name}: a damaged pickle ({type(error).__name__}); fetch it again") from error


class _Refused(Exception):
    """The pickle asks for something that this machine does not do."""


class _Machine:
    """A pickle machine: its program, its position, its stacks and its memo."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.objects = 0

    def run(self) -> Any:
        for _ in range(INSTRUCTIONS):
            code = self.data[self.place]
            self.place += 1
            if code == _STOP:
                return self.stack.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise _Refused(f"the pickle instruction {bytes([code])!r} at byte {self.place - 1}")
            instruction(self)
        raise _Refused(f"over {INSTRUCTIONS:,} instructions")

    def take(self, size: int) -> bytes:
        """The next bytes of the program."""
        taken = self.data[self.place : self.place + size]
        if len(taken) < size:
            raise IndexError("the end")
        self.place += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> None:
        self.objects += 1
        if self.objects > OBJECTS:
            raise _Refused(f"over {OBJECTS:,} objects")

    def push(self, value: Any) -> None:
        """A new object."""
        self.count()
        self.stack.append(value)

    def pop_to_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def protocol(self) -> None:
        if self.number(1) > _NEWEST_PROTOCOL:
            raise _Refused("a protocol newer than 5")

    def mark(self) -> None:
        self.count()
        self.below.append(self.stack)
        self.stack = []

    def text(self, sizes: int, encoding: str | None) -> None:
        size = self.number(sizes)
        if size > TEXT_BYTES:
            raise _Refused(f"a text of over {TEXT_BYTES} bytes")
        data = self.take(size)
        self.push(data if encoding is None else data.decode(encoding))

    def line(self) -> str:
        end = self.data.index(b"\n", self.place, self.place + TEXT_BYTES)
        return self.take(end + 1 - self.place)[:-1].decode("ascii")

    def find(self, module: str, name: str) -> None:
        if (module, name) not in _GLOBALS:
            raise _Refused(f"the global {f'{module}.{name}'!r}")
        self.stack.append(_GLOBALS[module, name])

    def find_from_stack(self) -> None:
        name, module = _text(self.stack.pop()), _text(self.stack.pop())
        self.find(module, name)

    def tuple_of(self, size: int) -> None:
        if size > len(self.stack):
            raise IndexError("the stack")
        start = len(self.stack) - size
        items = tuple(self.stack[start:])
        del self.stack[start:]
        self.push(items)

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise _Refused("adding to what is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not dict or len(items) % 2:
            raise _Refused("setting a key of what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.stack[-1][_text(key)] = value

    def pair(self) -> list[Any]:
        value, key = self.stack.pop(), self.stack.pop()
        return [key, value]

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple or function not in (_Scalar, _DtypeType):
            raise _Refused("a call of something else than numpy's scalar and dtype")
        if function is _DtypeType:
            code = _text(arguments[0])
            if code not in _SIZES:
                raise _Refused(f"the dtype {code!r}")
            return self.push(_Dtype(code))
        dtype, data = arguments
        if type(dtype) is not _Dtype or type(data) is not bytes or len(data) != _SIZES[dtype.code]:
            raise _Refused("a scalar that is no integer")
        return self.push(int.from_bytes(data, "little", signed=dtype.code.startswith("i")))

    def build(self) -> None:
        state, dtype = self.stack.pop(), self.stack[-1]
        if type(dtype) is not _Dtype or type(state) is not tuple or len(state) != 8:
            raise _Refused("setting the state of something else than a dtype")
        order, nothing = _text(state[1]), state[2:5]
        if order not in ("<", "|") or any(part is not None for part in nothing):
            raise _Refused("a dtype that is no little-endian integer")


def _text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode("latin-1")
    if type(value) is not str:
        raise _Refused("a key or a name that is no text")
    return value


def _int4(machine: _Machine) -> None:
    machine.push(int.from_bytes(machine.take(4), "little", signed=True))


def _memoize(machine: _Machine, place: int) -> None:
    machine.memo[place] = machine.stack[-1]


def _skip_frame(machine: _Machine) -> None:
    machine.take(8)


# pickletools.opcodes explains them
_STOP = ord(".")
_INSTRUCTIONS: dict[int, Callable[[_Machine], Any]] = {
    0x80: _Machine.protocol,
    0x95: _skip_frame,
    ord("("): _Machine.mark,
    ord("N"): lambda machine: machine.stack.append(None),
    0x88: lambda machine: machine.stack.append(True),
    0x89: lambda machine: machine.stack.append(False),
    ord("K"): lambda machine: machine.push(machine.number(1)),
    ord("M"): lambda machine: machine.push(machine.number(2)),
    ord("J"): _int4,
    ord("U"): lambda machine: machine.text(1, None),
    ord("C"): lambda machine: machine.text(1, None),
    ord("X"): lambda machine: machine.text(4, "utf-8"),
    0x8C: lambda machine: machine.text(1, "utf-8"),
    ord("}"): lambda machine: machine.push({}),
    ord("]"): lambda machine: machine.push([]),
    ord(")"): lambda machine: machine.push(()),
    ord("t"): lambda machine: machine.push(tuple(machine.pop_to_mark())),
    0x85: lambda machine: machine.tuple_of(1),
    0x86: lambda machine: machine.tuple_of(2),
    0x87: lambda machine: machine.tuple_of(3),
    ord("a"): lambda machine: machine.append([machine.stack.pop()]),
    ord("e"): lambda machine: machine.append(machine.pop_to_mark()),
    ord("s"): lambda machine: machine.set_items(machine.pair()),
    ord("u"): lambda machine: machine.set_items(machine.pop_to_mark()),
    ord("q"): lambda machine: _memoize(machine, machine.number(1)),
    ord("r"): lambda machine: _memoize(machine, machine.number(4)),
    0x94: lambda machine: _memoize(machine, len(machine.memo)),
    ord("h"): lambda machine: machine.stack.append(machine.memo[machine.number(1)]),
    ord("j"): lambda machine: machine.stack.append(machine.memo[machine.number(4)]),
    ord("c"): lambda machine: machine.find(machine.line(), machine.line()),
    0x93: _Machine.find_from_stack,
    ord("R"): _Machine.reduce,
    ord("b"): _Machine.build,
}
