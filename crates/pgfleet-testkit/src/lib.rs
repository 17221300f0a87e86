//! Throwaway clusters, fault proxy and fixtures for tests and benchmarks. Development only.
