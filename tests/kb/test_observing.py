from kb.observing import Observers
from kb.values.happenings import Happening, IndexExchanged, LooksTaken


def test_all_who_listen_are_told_in_order() -> None:
    told: list[Happening] = []
    observers = Observers()
    observers(IndexExchanged())
    observers.add(told.append)
    observers.add(told.append)
    observers(LooksTaken(2))
    assert told == [LooksTaken(2), LooksTaken(2)]
