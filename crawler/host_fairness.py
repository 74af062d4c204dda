"""Which hosts must wait for others while more hosts have pages that are due than there are places.

What is due longest is fetched first. Were that all, a few hundred slow hosts with much to do would have all places for
as long as they have older pages than others. So each host is charged the time for which its pages kept a place, and who
was charged more than the others waits until these were offered it: fair queueing, with a host's time for a packet's
length (Demers, Keshav and Shenker, "Analysis and simulation of a fair queueing algorithm", SIGCOMM 1989).
"""


class HostFairness:
    """Remembers what hosts were charged, as long as there is a crowd.

    Hosts of which nothing is known are charged as much as those that need not wait (`_level`), so newcomers have no
    credit.
    """

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._level = 0.0

    def charge(self, host: str, seconds: float) -> None:
        """Charge a host for the time that a page of it took."""
        self._spent[host] = max(self._spent.get(host, 0.0), self._level) + seconds

    def waiting(self) -> set[str]:
        """Return the hosts that must wait for others."""
        return {host for host, spent in self._spent.items() if spent > self._level}

    def admit(self, places: int) -> None:
        """Let those wait no longer that were charged least, as many as there are places: nobody else wanted these."""
        spent = sorted(spent for spent in self._spent.values() if spent > self._level)
        if spent:
            self._level = spent[min(max(places, 1), len(spent)) - 1]
        self._spent = {host: spent for host, spent in self._spent.items() if spent > self._level}

    def forget(self) -> None:
        """Begin anew: all that is due has a place."""
        self._spent.clear()
        self._level = 0.0
