"""A conversation with one router that survives a broken connection: what is asked next opens a new one."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rq.timeouts import BaseTimeoutException

from ...exceptions import DeviceError, DeviceLocked, DeviceUnreachable
from ..devices.access import access_to
from ..devices.credentials import profile
from ..devices.device import Device, connect

if TYPE_CHECKING:
    from ...models import PeeringRouter
    from ..devices.credentials import Credentials

__all__ = ("Line", "difference", "refuse_pending")


def refuse_pending(device: Device) -> None:
    """DeviceLocked when a commit waits on the router, somebody else's then: nothing is compared or sent beside it."""
    if device.has_pending():
        raise DeviceLocked(
            _(
                "{router}: somebody else's commit waits there to be confirmed. Confirm it, or wait until it is undone, "
                "then compare anew."
            ).format(router=device.access.name)
        )


def difference(device: Device, text: str, *, replace: bool) -> str:
    """
    Return what `text` would change on the device, which forgets the candidate again, whatever happens. DeviceLocked as
    in `refuse_pending`.
    """
    refuse_pending(device)
    try:
        device.load(text, replace=replace)
        found = device.compare()
    except DeviceError:
        # What went wrong first is what to tell.
        with suppress(DeviceError):
            device.discard()
        raise
    device.discard()
    return found


class Line:
    """
    A line to a router, for the time of a `with` block. Nothing is connected before something is asked.

    Without `credentials` those of the router's profile. `secrets`: what else no message may hold. DriverRefused and
    CredentialsMissing when there is no way in.
    """

    def __init__(
        self,
        router: "PeeringRouter",
        credentials: "Credentials | None" = None,
        secrets: Iterable[str] = (),
    ):
        self.access = access_to(router)
        self._credentials = credentials or profile(self.access.profile, router)
        self._secrets = tuple(secrets)
        self._session = ExitStack()
        self._device: Device | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What logs in, to be taken out of whatever is said of this conversation."""
        return (*self._credentials.values, *self._secrets)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def ask[T](self, question: Callable[[Device], T], *, anew: bool = True, keep: bool = False) -> T:
        """
        Return what `question` gets out of the router; DeviceError when it gets nothing.

        After an error the connection is given up, and a candidate with it: the next question has a new one. With
        `anew` False it has to be the one that there is, because it is about a candidate that was loaded before. With
        `keep` it outlives the error, because a commit waits that no other connection can confirm.
        """
        try:
            return question(self._open(anew))
        except DeviceError:
            if not keep:
                self.close()
            raise
        except BaseTimeoutException:
            # The job's time is over, not the router's.
            raise
        except Exception as error:
            # What a driver forgot to translate. Its text may quote anything: the caller masks it.
            if not keep:
                self.close()
            raise DeviceError(f"{self.access.name}: {type(error).__name__}: {error}") from None

    def close(self) -> None:
        self._device = None
        self._session.close()

    def _open(self, anew: bool) -> Device:
        if self._device is None:
            if not anew:
                raise DeviceUnreachable(f"{self.access.name}: the connection was lost")
            self._device = self._session.enter_context(connect(self.access, self._credentials, self._secrets))
        return self._device
