"""Single machine instructions that numba has no function for, for compiled code to call."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _ctpop(_context: Any, _value: Any) -> Any:  # noqa: ANN401  # pragma: no cover - numba's
    """The number of set bits of a uint64."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


def _ask_for(_context: Any, array: Any, index: Any) -> Any:  # noqa: ANN401  # pragma: no cover - numba's
    """Have the processor fetch array[index], flat, without waiting for it."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        kind, byte, number = signature.args[0], ir.IntType(8).as_pointer(), ir.IntType(32)
        data = context.make_array(kind)(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        does = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, does, "llvm.prefetch.p0"
        )
        builder.call(call, [place, number(0), number(3), number(1)])  # read, keep, data
        return context.get_dummy_value()

    return types.void(array, index), code


popcount: Any = intrinsic(_ctpop)
prefetch: Any = intrinsic(_ask_for)
