//! A client for the Zeebe gateway: the commands the bridge uses and a job worker.
