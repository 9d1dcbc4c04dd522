"""Recording of calls: what both sides said, two channels in one file.

The media process writes frames into memory that it shares with the writer process (`ring`); the writer puts both
directions side by side (`channels`) and into files (`wav`, `ogg`), and says what became of each. A disk may stand still
for half a minute: until then nothing is lost, and never does a packet wait for it.
"""
