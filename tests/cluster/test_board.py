"""What is told on the board, in this process: `tests/batch` and `tests/serve_apps` post to the cluster's own."""

from cluster.board import MOST, Board


def test_the_last_word_of_each_is_kept_by_topic():
    """A later word replaces an earlier one; the same key under another topic is another's."""
    board = Board()

    board.post("jobs", "one", 1)
    board.post("jobs", "one", 2)
    board.post("replicas", "one", 3)

    assert (board.read("jobs", "one"), board.all("jobs"), board.read("replicas", "one")) == (2, {"one": 2}, 3)


def test_a_word_taken_down_is_gone():
    """Also one that never was."""
    board = Board()
    board.post("jobs", "one", 1)

    board.clear("jobs", "one")
    board.clear("jobs", "one")
    board.clear("nothing", "one")

    assert board.read("jobs", "one") is None


def test_the_board_does_not_grow_for_ever():
    """Who was heard of last stays."""
    board = Board()
    board.post("replicas", "old", 0)
    board.post("replicas", "steady", 0)
    for number in range(MOST):
        if number == MOST // 2:
            board.post("replicas", "steady", 1)
        board.post("replicas", str(number), number)

    assert len(board.all("replicas")) == MOST
    assert board.read("replicas", "old") is None
    assert board.read("replicas", "steady") == 1
