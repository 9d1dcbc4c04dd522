"""`zvonar bench media`: the media plane beside what people would use instead.

Three processes. The one under test (the plane, or a peer of it) has a core for itself. The far end of all its calls
(`far_end`) and the bench, which starts both and reads the clock of the one under test, share another. Every design gets
the same far end: it sends a packet each 20 ms and call, presses keys, and looks at every byte that comes.
"""
