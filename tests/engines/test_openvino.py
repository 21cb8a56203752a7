"""What OpenVINO does wrong by itself."""

import subprocess
import sys

THREADS_BEGIN_AT_ONCE = """
import sys, threading
from masktrail.engines.openvino_form import ov

sys.setswitchinterval(1e-6)
together = threading.Barrier(4)

def ask():
    together.wait()
    ov.Type.f32.to_dtype()

threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_begin_at_once_do_not_wait_for_each_other() -> None:
    """Five times in six they did, for ever, in a process of their own."""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", THREADS_BEGIN_AT_ONCE], check=True, timeout=60)
