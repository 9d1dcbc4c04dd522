"""Recording of calls: what both sides said, two channels in one file.

    tick -> tape (engine/media) -> ring, in shared memory -> studio -> channels -> wav, ogg      the writer process
    call -> plane -> recorder --- starts it, and hears from it: Recorded                          the control side

The media process writes the frames of all recorded calls into the memory and never waits; the writer takes them out
when it can. A disk may stand still for half a minute until anything is lost, and never does a packet wait for it.
"""
