//! A client for the Zeebe gateway: the commands that the bridge uses, and a job worker.
