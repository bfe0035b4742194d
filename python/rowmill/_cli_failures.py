"""What a command says when it fails, and the exit status of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import rowmill as rm
from rowmill._cli_output import OutputError
from rowmill._cli_params import UsageError
from rowmill._cli_passwords import without_passwords
from rowmill._cli_progress import Progress


class CopyError(Exception):
    """The rows cannot be copied; the message says why and what to do."""


def attempt(
    work: Callable[[], object], progress: Progress, output: str, urls: tuple[str | None, ...]
) -> int:
    """Do the work; 1 when the statement, a database or the output fails.

    An `OSError` is taken for one of `output`. No message shows a password of the URLs.
    """
    try:
        work()
    except rm.InterfaceError as error:  # a URL that makes no sense, or none
        raise UsageError(str(error)) from None
    except (rm.Error, CopyError, OutputError) as error:
        said = without_passwords(str(error), *urls)
    except BrokenPipeError:
        raise
    except OSError as error:
        said = f"cannot write {output}: {error.strerror or error}"
    else:
        return 0
    finally:
        progress.clear()
    print(f"rowmill: error: {said}", file=sys.stderr)
    return 1
