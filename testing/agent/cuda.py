"""Two small programs for a GPU, through the driver's own library: one that computes, and one that writes where it may not.

Run as a program it is one of them: `cuda.py fault` ends with the error that it causes, `cuda.py loop SECONDS` prints, for
each launch, when it ended (seconds of the monotonic clock), until it is killed or the time is up.
"""

import ctypes
import sys
import time

# Both are called alike, and take a place and a number.
HEAD = b"""
.version 7.0
.target sm_80
.address_size 64
.visible .entry work(.param .u64 place, .param .u32 count)
"""

# An address that no allocation has. The driver reports it as Xid 31, an MMU fault.
FAULT = HEAD + b"""{
  .reg .u64 address;
  .reg .u32 value;
  mov.u64 address, 0xdead0000;
  mov.u32 value, 1;
  st.global.u32 [address], value;
  ret;
}
"""

# Multiplications that wait for one another, `count` times four.
LOOP = HEAD + b"""{
  .reg .u64 address;
  .reg .u32 number, most;
  .reg .f32 x, y;
  .reg .pred again;
  ld.param.u64 address, [place];
  ld.param.u32 most, [count];
  mov.u32 number, 0;
  mov.f32 x, 0f3F800000;
  mov.f32 y, 0f3F000000;
next:
  fma.rn.f32 x, x, y, y;
  fma.rn.f32 x, x, y, y;
  fma.rn.f32 x, x, y, y;
  fma.rn.f32 x, x, y, y;
  add.u32 number, number, 1;
  setp.lt.u32 again, number, most;
  @again bra next;
  st.global.f32 [address], x;
  ret;
}
"""

# Enough to fill any of these GPUs, so that a launch takes as long as its slowest part.
BLOCKS, THREADS = 4096, 256
LAUNCH_SECONDS = 0.005


class Failed(Exception):
    """What the driver said: its number."""


class Gpu:
    """The first one. A process that has caused a fault can use it no more."""

    def __init__(self):
        try:
            self.driver = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise Failed(f"there is no libcuda.so.1: {error}") from None
        self.context, self.place = ctypes.c_void_p(), ctypes.c_uint64()
        device = ctypes.c_int()
        self.call("cuInit", 0)
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), device)
        self.call("cuCtxSetCurrent", self.context)
        self.call("cuMemAlloc_v2", ctypes.byref(self.place), ctypes.c_size_t(4096))

    def call(self, name, *arguments):
        code = getattr(self.driver, name)(*arguments)
        if code != 0:
            raise Failed(f"{name} says {code}")

    def program(self, text):
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), text)
        self.call("cuModuleGetFunction", ctypes.byref(function), module, b"work")
        return function

    def launch(self, function, blocks, threads, count):
        values = [self.place, ctypes.c_uint32(count)]
        pointers = (ctypes.c_void_p * 2)(*[ctypes.addressof(value) for value in values])
        self.call("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, 0, None, pointers, None)
        self.call("cuCtxSynchronize")


def fault():
    gpu = Gpu()
    gpu.launch(gpu.program(FAULT), 1, 1, 0)


def loop(seconds):
    gpu = Gpu()
    function, count = gpu.program(LOOP), 1000
    while True:
        begun = time.monotonic()
        gpu.launch(function, BLOCKS, THREADS, count)
        took = time.monotonic() - begun
        if took >= LAUNCH_SECONDS:
            break
        count *= 2
    count = max(1, int(count * LAUNCH_SECONDS / took))
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        gpu.launch(function, BLOCKS, THREADS, count)
        print(f"{now:.6f} {time.monotonic():.6f}", flush=True)


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["fault"]:
            fault()
        elif sys.argv[1:2] == ["loop"] and len(sys.argv) == 3:
            loop(float(sys.argv[2]))
        else:
            sys.exit(__doc__)
    except Failed as error:
        sys.exit(f"error: {error}")
