// Menus to begin with, in the reader's language: {name, record, ivrs}. Their clips are texts.
"use strict";

zvonar.menuExamples = () => {
  const text = (words) => ({ text: words, gender: 0 });
  return [
    {
      name: say("Confirm an appointment"),
      record: text(say("Hello! You have an appointment tomorrow at ten. Press 1 to confirm it, 2 to cancel it.")),
      ivrs: [
        { digit: "1", record: text(say("Thank you, we are waiting for you.")), tag: "confirmed" },
        { digit: "2", record: text(say("Your appointment is cancelled. Goodbye.")), tag: "cancelled" },
      ],
    },
    {
      name: say("Move it to another day"),
      record: text(say("Hello! Your courier comes today. Press 1 if that suits you, 2 to choose another day.")),
      ivrs: [
        { digit: "1", record: text(say("Thank you, the courier is on the way.")), tag: "today" },
        {
          digit: "2", record: text(say("Press 1 for tomorrow, 2 for the day after.")), tag: "move",
          ivrs: [
            { digit: "1", record: text(say("Agreed: the courier comes tomorrow.")), tag: "tomorrow" },
            { digit: "2", record: text(say("Agreed: the courier comes the day after tomorrow.")), tag: "later" },
          ],
        },
      ],
    },
    {
      name: say("News, with a way out"),
      record: text(say("Hello! We have a discount for you this week. Press 1 to hear more, 0 if we should not call again.")),
      ivrs: [
        { digit: "1", record: text(say("All tickets cost a third less until Sunday.")), tag: "interested" },
        { digit: "0", record: text(say("We will not call this number again. Goodbye.")), tag: "stop", needBlock: 1 },
      ],
    },
  ];
};
