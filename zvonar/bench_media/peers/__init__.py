"""What people would use instead of the plane: a file each, a process each."""
