"""Machine code from the text of a module, with llvmlite."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from nxformula import _cache
from nxformula.engine.llvm.loops import ENTRY

#: llvmlite is not made for several threads at a time.
_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Code:
    """A function in memory.

    Attributes
    ----------
    function : callable
        Runs it, without Python's global lock.
    engine : object
        Keeps it in memory.
    """

    function: Any
    engine: Any


@lru_cache(maxsize=64)
def machine_code(text: str, pointers: int) -> Code:
    """The function of a module.

    Parameters
    ----------
    text : str
        The module.
    pointers : int
        How many addresses the function takes, before two numbers.

    Raises
    ------
    ModuleNotFoundError
        llvmlite is missing.
    """
    with _LOCK:
        binding, target = _llvm()
        key = hashlib.sha256("\n".join([text, *_identity()]).encode()).hexdigest()
        kept = _cache.find("llvm", key)
        content = kept if kept is not None else _compiled(text)
        if kept is None:
            _cache.keep("llvm", key, content)
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target())
        engine.add_object_file(binding.object_file.ObjectFileRef.from_data(content))
        engine.finalize_object()
        address = engine.get_function_address(ENTRY)
    arguments = [ctypes.c_void_p] * pointers + [ctypes.c_int64] * 2
    return Code(ctypes.CFUNCTYPE(None, *arguments)(address), engine)


@cache
def _llvm() -> tuple[Any, Any]:
    """llvmlite, and what makes a target of this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    triple = binding.Target.from_triple(binding.get_process_triple())

    def target() -> Any:
        return triple.create_target_machine(cpu=name, features=features, opt=3, jit=True)

    return binding, target


def _identity() -> list[str]:
    """What machine code depends on beside its text."""
    import llvmlite

    binding, _ = _llvm()
    cpu = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    return [llvmlite.__version__, str(binding.llvm_version_info), *cpu]


def _compiled(text: str) -> bytes:
    """The object file of a module."""
    binding, target = _llvm()
    module = binding.parse_assembly(text)
    machine = target()
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.loop_unrolling = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    content: bytes = machine.emit_object(module)
    return content
