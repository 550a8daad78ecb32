"""The supported kernels: getting, building for, booting, and running a command inside."""
