"""Texts to clips.

    speaker = Speaker(config.speech, folder)
    spoken = speaker.speak("Старый з+амок. <-> Здравствуйте!", Gender.FEMALE)
    spoken.path, spoken.duration_ms, spoken.dropped

A text may bear marks: `+о`, `<<<о` or `о>>>` stress a vowel, `<->` is half a second of silence. `marks` reads them;
what is left is plain words, without markup or control characters. `speaker` chooses the voice: of those that speak the
language the first one of the gender, in the order of `[speech] voices` - piper, whose voices somebody configured on
purpose, then RHVoice, then espeak-ng, which is always there. A language without a voice of that gender is spoken by the
other (`Spoken.gender` tells). Every stretch between pauses is a run of the synthesiser in a `child`, the text in its
stdin; the parts are joined with exact silence at 8 kHz and kept by text and voice.

Who honours a mark of stress, the first one in a word: RHVoice in Russian and Ukrainian, piper in Russian, espeak-ng in
Russian (`stress`). Other marks are dropped, and `Spoken.dropped` names their words. Whatever goes wrong is a
`SpeechError`.

    marks     text to pieces             voice     the seam to synthesisers
    speaker   pieces to a kept clip      espeak, espeak_child, stress; rhvoice; piper
    child     runs a program, bounded    spoken    a clip, and its file
    languages their names                error     what can go wrong
"""
