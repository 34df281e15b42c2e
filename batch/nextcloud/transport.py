"""The guarded HTTP client."""


class Transport:
    """Requests to one origin after another, each guarded."""

    def close(self) -> None:
        """Let go of the connections."""
        raise NotImplementedError
