// AddressSanitizer's defaults for fuzzers. ASAN_OPTIONS overrides them.

extern "C" const char* __asan_default_options();

// The usual 256 MiB of freed memory that wait to be found out in are memory that the processor's cache does not hold.
// No input needs as much as this.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=4:detect_stack_use_after_return=1"; }
