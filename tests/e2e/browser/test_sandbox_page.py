"""The page in a real browser: played with mouse and keyboard, on a desk and on a phone, by people who mean harm too."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> &amp; \u202e evil"
)


class TestTimeline:
    def test_shows_a_tweet_and_the_bots_reply_in_place_by_itself(self, stage, open_page):
        page = open_page(stage.address)
        page.get_by_label("Tweet", exact=True).fill("@smoney send 10€ to @alice")
        page.get_by_role("button", name="Tweet", exact=True).click()
        thread = page.locator("#threads > li").first
        expect(thread.locator(".text")).to_have_text("@smoney send 10€ to @alice")
        (post,) = stage.world.timeline()
        assert post.author_id == stage.bob.id
        stage.world.post(stage.bot, "Waiting for you", in_reply_to=post.id)
        reply = thread.locator(".post.reply")
        expect(reply.locator(".text")).to_have_text("Waiting for you")
        expect(reply).to_contain_text("Automated")
        expect(page.get_by_label("Tweet", exact=True)).to_have_value("")

    def test_lets_one_reply_edit_and_delete(self, stage, open_page):
        page = open_page(stage.address)
        opening = stage.world.post(stage.alice, "hello all")
        mine = stage.world.post(stage.bob, "my own words")
        page.get_by_role("button", name="Reply to alice").click()
        page.get_by_label("Tweet", exact=True).fill("hello Alice")
        page.get_by_role("button", name="Reply", exact=True).first.click()
        expect(page.locator(".post.reply .text")).to_have_text("hello Alice")
        assert stage.world.timeline()[0].in_reply_to_id == opening.id
        own = page.locator("#threads > li", has_text="my own words")
        own.get_by_role("button", name="Edit this post").click()
        expect(page.get_by_label("Tweet", exact=True)).to_have_value("my own words")
        page.get_by_label("Tweet", exact=True).fill("my better words")
        page.get_by_role("button", name="Save").click()
        better = page.locator("#threads > li", has_text="my better words")
        expect(better).to_contain_text("edited")
        assert stage.world.timeline()[0].first_id == mine.id
        better.get_by_role("button", name="Delete this post").click()
        expect(better).to_have_count(0)

    def test_says_in_xs_words_why_a_tweet_is_refused(self, stage, open_page):
        stage.world.post(stage.bob, "the same")
        page = open_page(stage.address)
        page.get_by_label("Tweet", exact=True).fill("the same")
        page.get_by_role("button", name="Tweet", exact=True).click()
        expect(page.locator("#tweet-error")).to_contain_text("duplicate content")
        expect(page.get_by_label("Tweet", exact=True)).to_have_value("the same")


class TestTweetBox:
    @pytest.mark.parametrize(
        ("text", "left"),
        [("hello", "275"), ("€" * 10, "260"), ("see smoney.com", "253"), ("a" * 281, "-1")],
    )
    def test_counts_as_x_does(self, stage, open_page, text, left):
        page = open_page(stage.address)
        page.get_by_label("Tweet", exact=True).fill(text)
        expect(page.locator("#counter-text")).to_have_text(left)

    def test_shows_how_the_bot_would_read_it(self, stage, open_page):
        page = open_page(stage.address)
        page.get_by_label("Tweet", exact=True).fill("@smoney send 1€ @alice")
        expect(page.locator("#reading")).to_have_text("An order by bob.")
        page.get_by_label("Tweet", exact=True).fill("good morning")
        expect(page.locator("#reading")).to_have_text("Not an order.")

    def test_begins_with_an_example(self, stage, open_page):
        page = open_page(stage.address)
        page.get_by_role("button", name="@smoney send 10€ to @alice").click()
        expect(page.get_by_label("Tweet", exact=True)).to_have_value("@smoney send 10€ to @alice")
        expect(page.get_by_label("Tweet", exact=True)).to_be_focused()


class TestThread:
    def test_carries_typed_answers_and_shows_the_code(self, stage, open_page):
        page = open_page(stage.address)
        box = page.get_by_label("Direct message to the bot")
        page.get_by_role("button", name="start", exact=True).click()
        box.press("Enter")
        expect(page.locator("#log .own .bubble")).to_contain_text("start")
        stage.world.send_message(stage.bot, stage.bob, "Pay 10.00 € to @alice?\nAnswer K 482913 to pay.")
        expect(page.locator("#log .code")).to_have_text("K 482913")
        page.get_by_role("button", name="K 482913").click()
        expect(box).to_have_value("K 482913")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(box).to_have_value("")
        said = [message.text for message in stage.world.thread(stage.bob, stage.bot)]
        assert (said[0], said[-1]) == ("start", "K 482913")

    def test_of_somebody_else_has_a_hint_when_there_is_something_new(self, stage, open_page):
        stage.world.send_message(stage.alice, stage.bot, "start")
        page = open_page(stage.address)
        alice = page.locator(".role", has_text="Alice")
        expect(alice).to_be_visible()
        expect(alice.get_by_text("new message")).to_have_count(0)
        stage.world.send_message(stage.bot, stage.alice, "10.00 € from @bob for you")
        expect(alice.get_by_text("new message")).to_have_count(1)
        alice.click()
        expect(page.locator("#log")).to_contain_text("10.00 € from @bob for you")
        expect(alice.get_by_text("new message")).to_have_count(0)


class TestPeople:
    def test_can_be_created_and_are_played_at_once(self, stage, open_page):
        page = open_page(stage.address)
        page.get_by_role("button", name="New person").click()
        page.get_by_label("Handle").fill("carol")
        page.get_by_label("Name").fill("Carol")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("radio", name=re.compile("Carol"))).to_be_checked()
        page.get_by_label("Tweet", exact=True).fill("hello from carol")
        page.get_by_role("button", name="Tweet", exact=True).click()
        expect(page.locator("#threads")).to_contain_text("hello from carol")
        assert stage.world.timeline()[0].author_id == stage.world.person("carol").id

    def test_with_a_taken_handle_are_refused_with_a_sentence(self, stage, open_page):
        page = open_page(stage.address)
        page.get_by_role("button", name="New person").click()
        page.get_by_label("Handle").fill("BOB")
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#new-person-error")).to_have_text("The username BOB is taken.")


class TestMoney:
    def test_shows_wallets_and_transfers_and_follows_them_by_itself(self, stage, open_page):
        stage.bank.pays(stage.bob, "100.00 €")
        page = open_page(stage.address)
        expect(page.locator(".role", has_text="Bob").locator(".purse")).to_have_text("100.00 €")
        stage.bank.pays(stage.bob, "90.00 €", held="5.00 €")
        stage.bank.moves("@bob", "@alice", "10.00 €")
        expect(page.locator(".role", has_text="Bob").locator(".purse")).to_contain_text("90.00 €")
        expect(page.locator(".role", has_text="Bob").locator(".purse")).to_contain_text("5.00 € held")
        expect(page.locator(".transfer")).to_contain_text("@bob→@alice")
        expect(page.locator(".transfer .amount")).to_have_text("10.00 €")

    def test_is_hidden_where_there_is_no_bank(self, bare_stage, open_page):
        page = open_page(bare_stage.address)
        expect(page.locator("#live")).to_have_text("live")
        expect(page.locator("#panel-money")).to_be_hidden()
        page.get_by_label("Tweet", exact=True).fill("hello")
        expect(page.locator("#counter-text")).to_have_text("275")
        expect(page.locator("#reading")).to_be_hidden()


class TestSafety:
    def test_texts_of_people_are_never_markup(self, stage, open_page):
        mallory = stage.world.create_person("mallory", "<b>Mallory</b>")
        stage.world.post(mallory, HOSTILE)
        stage.world.send_message(stage.bob, stage.bot, HOSTILE)
        stage.bank.moves("<i>a</i>", "<u>b</u>", "1.00 €")
        page = open_page(stage.address)
        expect(page.locator("#threads .text")).to_contain_text("<img src=x onerror=")
        expect(page.locator("#log .bubble")).to_contain_text("<script>")
        expect(page.locator("#threads strong").first).to_have_text("<b>Mallory</b>")
        expect(page.locator(".route")).to_contain_text("<i>a</i>")
        assert page.title() == "smoney sandbox"
        assert page.locator("#threads img, #log img, #threads script").count() == 0

    def test_nothing_is_loaded_from_elsewhere_and_nothing_is_complained_of(self, stage, open_page, seen):
        stage.world.post(stage.bob, "@smoney hi")
        page = open_page(stage.address)
        expect(page.locator("#live")).to_have_text("live")
        page.get_by_label("Tweet", exact=True).fill("hello")
        expect(page.locator("#counter-text")).to_have_text("275")
        assert {url for url in seen.requests if not url.startswith(stage.address)} == set()
        assert seen.complaints == []

    def test_says_visibly_that_nothing_is_real(self, stage, open_page):
        for width in (1280, 360):
            note = open_page(stage.address, width=width).get_by_text("test money, nothing here is real")
            expect(note).to_be_visible()


class TestAccess:
    def test_the_keyboard_is_enough(self, stage, open_page):
        page = open_page(stage.address)
        expect(page.get_by_role("radio", name=re.compile("Bob"))).to_be_checked()
        page.get_by_role("radio", name=re.compile("Bob")).focus()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name=re.compile("Alice"))).to_be_checked()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Tweet", exact=True)).to_be_focused()
        page.keyboard.type("typed by hand")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#threads")).to_contain_text("typed by hand")
        assert stage.world.timeline()[0].author_id == stage.alice.id

    def test_everything_that_can_be_used_has_a_name(self, stage, open_page):
        stage.world.post(stage.bob, "@smoney hi")
        page = open_page(stage.address)
        expect(page.locator(".post")).to_have_count(1)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, input, textarea")].filter((each) => {
              const label = each.labels?.length ? [...each.labels].map((one) => one.textContent).join("") : "";
              return !(each.getAttribute("aria-label") || label || each.textContent || "").trim();
            }).length"""
        )
        assert nameless == 0

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_words_stand_out_from_their_ground(self, stage, open_page, scheme):
        stage.world.send_message(stage.bob, stage.bot, "start")
        stage.world.send_message(stage.bot, stage.bob, "Answer K 482913 to @alice")
        stage.world.post(stage.bob, "@smoney #hi smoney.com")
        stage.bank.pays(stage.bob, "1.00 €", held="2.00 €")
        stage.bank.moves("a", "b", "1.00 €", "pending")
        page = open_page(stage.address, scheme=scheme)
        expect(page.locator(".code")).to_be_visible()
        expect(page.locator(".transfer")).to_be_visible()
        page.wait_for_function("document.getAnimations().length === 0")
        assert page.evaluate(CONTRAST) == []


class TestSmallScreens:
    @pytest.mark.parametrize("width", [360, 600, 900])
    def test_never_need_sideways_scrolling(self, stage, open_page, width):
        stage.world.post(stage.bob, "w" * 200 + " @smoney https://smoney.com/" + "x" * 180)
        stage.world.send_message(stage.bob, stage.bot, "long" * 200)
        stage.world.create_person("abcdefghijklmno", "A very long name that goes on and on for ever and")
        page = open_page(stage.address, width=width, height=740)
        expect(page.locator(".post")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_have_their_parts_one_at_a_time(self, stage, open_page):
        stage.world.send_message(stage.bob, stage.bot, "start")
        stage.bank.moves("a", "b", "1.00 €")
        page = open_page(stage.address, width=360, height=740)
        expect(page.locator("#composer")).to_be_visible()
        expect(page.locator("#log")).to_be_hidden()
        stage.world.send_message(stage.bot, stage.bob, "Answer K 482913")
        expect(page.locator("#tab-dot")).to_be_visible()
        page.get_by_role("button", name=re.compile("Messages")).click()
        expect(page.locator(".code")).to_be_in_viewport()
        expect(page.get_by_label("Direct message to the bot")).to_be_in_viewport()
        expect(page.locator("#composer")).to_be_hidden()
        page.get_by_role("button", name="Ledger").click()
        expect(page.locator(".transfer")).to_be_visible()


class TestPictures:
    """With SMONEY_PICTURES set to a folder they are kept there, to be looked at by somebody."""

    @pytest.fixture
    def scene(self, stage):
        """A payment that has just been asked for, after one that was made."""
        world, bot, bob, alice = stage.world, stage.bot, stage.bob, stage.alice
        zoe = world.create_person("zoe", "Zoé")
        for person in (bob, alice):
            world.send_message(person, bot, "start")
            world.send_message(
                bot, person, "Welcome! Your account is open. I always ask you before anything moves."
            )
        waiting = world.post(zoe, "@smoney send 5€ to @bob for the taxi")
        world.post(
            bot, "Waiting for you: send me START by direct message. Ref P-9Q2L4D", in_reply_to=waiting.id
        )
        world.post(bob, "@smoney send 10€ to @alice for the concert")
        world.send_message(
            bot, bob, "Pay €10.00 to @alice (Alice)?\nNote: “the concert”\n\nTo pay, answer K 482913"
        )
        world.send_message(bob, bot, "K 482913")
        world.send_message(bot, bob, "Paid: €10.00 to @alice (Alice).\nBalance: €90.00.\nRef P-85G32W")
        world.post(bob, "@smoney envoyer 12,99€ @zoe")
        world.send_message(
            bot, bob, "Pay €12.99 to @zoe (Zoé)?\nFirst payment to this account.\n\nTo pay, answer M 105577"
        )
        stage.bank.pays(bob, "90.00 €")
        stage.bank.pays(alice, "30.00 €")
        stage.bank.moves("test money", "@bob", "100.00 €")
        stage.bank.moves("@bob", "@alice", "10.00 €")
        return stage

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("name", "width", "height"), [("desk", 1400, 900), ("phone", 360, 760)])
    def test_show_the_whole_page(self, scene, open_page, pictures, name, width, height, scheme):
        page = open_page(scene.address, width=width, height=height, scheme=scheme)
        expect(page.locator(".post")).to_have_count(4)
        expect(page.locator("#live")).to_have_text("live")
        picture = page.screenshot(path=pictures / f"{name}-{scheme}.png")
        assert len(picture) > 10_000


class TestLiveness:
    @pytest.mark.prove
    def test_falls_back_to_asking_where_the_stream_is_not_to_be_had(self, stage, open_page):
        page = open_page(
            stage.address, before=lambda page: page.route("**/sandbox/events", lambda route: route.abort())
        )
        expect(page.locator("#live")).to_have_text("reconnecting")
        stage.world.post(stage.bob, "seen all the same")
        expect(page.locator("#threads")).to_contain_text("seen all the same")

    def test_leaves_what_is_being_typed_alone(self, stage, open_page):
        page = open_page(stage.address)
        box = page.get_by_label("Tweet", exact=True)
        box.fill("half a sentence")
        stage.world.post(stage.alice, "meanwhile")
        expect(page.locator("#threads")).to_contain_text("meanwhile")
        expect(box).to_have_value("half a sentence")
        expect(box).to_be_focused()


CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((each) => each / 255).map((each) =>
      each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      const opacity = numbers(colour)[3];
      if (opacity === undefined || opacity === 1) return colour;
    }
    return "rgb(255,255,255)";
  };
  const faint = [];
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || each.disabled || each.closest(".hidden, .skip, noscript, [hidden]") || !each.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(each).color), light(ground(each))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${each.tagName}.${each.className} ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
