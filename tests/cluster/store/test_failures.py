"""What a job could not do."""

from datetime import UTC, datetime
from itertools import chain

from cluster.store.database import Library
from cluster.store.failures import SCHEMA, error_id
from cluster.store.schema import rows_of

AT = datetime(2024, 1, 1, tzinfo=UTC)


def said(library: Library, job_id: str, *files: str) -> None:
    """Note a failure of each file."""
    rows = [
        {"error_id": error_id(job_id, file, "media"), "job_id": job_id, "file_id": file, "reason": "cut", "at": AT}
        for file in files
    ]
    library.errors.upsert(rows_of(rows, SCHEMA))


def test_errors_are_read_in_pages(library: Library) -> None:
    """Each comes once, and only those of the job."""
    said(library, "job1", *[f"f{number}" for number in range(25)])
    said(library, "job2", "f1")
    pages, after = [], ""
    while len(page := library.errors.of_job("job1", 10, after)):
        pages.append(page["file_id"].to_pylist())
        after = page["error_id"].to_pylist()[-1]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(chain(*pages)) == sorted(f"f{number}" for number in range(25))
    assert library.errors.of_job("job2", columns=["reason"]).to_pylist() == [{"reason": "cut"}]


def test_saying_it_twice_keeps_it_once(library: Library) -> None:
    """A batch that is done again leaves no second row."""
    said(library, "job1", "f1")
    said(library, "job1", "f1", "f2")
    assert library.errors.count() == 2


def test_a_jobs_errors_can_be_forgotten(library: Library) -> None:
    """Those of others stay."""
    said(library, "job1", "f1", "f2")
    said(library, "job2", "f1")
    assert library.errors.forget("job1") == 2
    assert library.errors.count() == 1
