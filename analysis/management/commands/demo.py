"""Load the simulated demo study, the wave of the year before, and a study to try at once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from analysis.demo import load
from surveys.linking.personal_links import facilitator_url


class Command(BaseCommand):
    help = "Loads the demo once, and prints how to sign in to it. Refuses on production settings."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load.load()
        except load.DemoRefused as error:
            raise CommandError(str(error)) from error
        load.give_passwords()
        self.stdout.write("The demo is loaded." if loaded else "The demo is there already.")
        for sign_in in load.sign_ins():
            how = f"password {sign_in.password}" if sign_in.password else "a mailed code, shown on /dev/mail"
            self.stdout.write(f"  {sign_in.who}: {sign_in.email}, {how}")
        for academy, path in load.directors_links():
            self.stdout.write(f"  report of the director of {academy}: {settings.BASE_URL}{path}")
        meeting = load.try_meeting()
        if meeting is not None:
            self.stdout.write(f"  take part at once: {settings.BASE_URL}/a/{meeting.code}")
            self.stdout.write(f"  that meeting's facilitator: {facilitator_url(meeting)}")
