//! How many threads the CPUs given to the program are worth.
