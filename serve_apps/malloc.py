"""How glibc's malloc is set in processes that make large arrays again and again: by the environment they start with."""

# By default every large array is mapped afresh and given back, and the kernel clears its pages each time: of a batch's
# time in EfficientNet that was more than half, of a decoded JPEG's an eighth (measured). One arena, because only the
# main one may grow as far; what is free beyond the trim threshold goes back.
KEEPS_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),  # bytes
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),  # bytes
}
