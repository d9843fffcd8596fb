"""Builds the optional C extension; everything else about the package is in pyproject.toml.

Without a C compiler the package is installed all the same, and runs in Python: slower where
Reed-Solomon and ciphers are concerned. `kcp.backend()` tells which it is.
"""

import glob
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# The stable ABI has had buffers since 3.11; builds without the GIL do not have it.
STABLE = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("KCP_CRC_SLICES", "8")]


class OptionalExtension(build_ext):
    """As build_ext, but a failure is a sentence, not an error."""

    def run(self):
        """Build what can be built."""
        try:
            super().run()
        except Exception as error:  # no compiler, of whichever kind: distutils has several
            self.tell(error)

    def build_extension(self, ext):
        """Build one extension."""
        try:
            super().build_extension(ext)
        except Exception as error:
            self.tell(error)

    def tell(self, error):
        """Say what follows from it."""
        self.warn(f"the C extension was not built ({error}); kcp works without it, but slower")


setup(
    ext_modules=[
        Extension(
            "_kcp",
            sources=[f for d in ("cpython", "core") for f in sorted(glob.glob(f"native/{d}/*.c"))],
            depends=[*glob.glob("native/cpython/*.h"), *glob.glob("native/core/*.h")],
            include_dirs=["native/core"],
            define_macros=MACROS + ([("Py_LIMITED_API", "0x030b0000")] if STABLE else []),
            extra_compile_args=[] if sys.platform == "win32" else ["-std=c99", "-O3"],
            py_limited_api=STABLE,
            optional=True,
        )
    ],
    cmdclass={"build_ext": OptionalExtension},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
