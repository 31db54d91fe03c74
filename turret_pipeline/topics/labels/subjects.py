"""General subjects: labels in English for topics whose texts share a subject but no phrase.

Chats about "the capital of Peru" and "the capital of Chad", or about one famous person after another, have no phrase
that is true for most of them. The list names what people ask assistants, shops, banks and colleagues about, as the
sections of a library do; it has nothing from a particular data set.
"""

from typing import NamedTuple

SUBJECTS = tuple(
    subject.strip()
    for line in """
    Greetings; Goodbyes; Thanks; Small talk; Compliments; Insults; Apologies; Yes or no answers
    Questions about the assistant; Corrections of the answer; Requests for more detail
    Continue the answer; Try again; Shorten the answer; Explain in simple terms; Examples; Comparisons
    Wrong answers; Missing details; Ignored instructions; Slow answers; Too long answers; Too short answers
    Good answers; Repeated answers; Time saved; Calculation errors; Answers in the wrong language; Crashes and errors
    Opinions; Recommendations; Predictions; Hypothetical questions; Brainstorm ideas
    Artificial intelligence; Chatbots; Language models; Machine learning; Robots; Role play
    Philosophy; Meaning of life; Consciousness and emotions; Ethics and morals; Religion; Bible; Mythology; Psychology
    Personality; Riddles; Logic puzzles; Word games; Trivia quizzes; Jokes; Fun facts
    Arithmetic; Unit conversion; Algebra and equations; Geometry; Calculus; Probability and statistics; Number sequences
    Prime numbers; Percentages; Physics; Chemistry; Biology; Genetics; Astronomy and planets; Space travel
    Earth and climate; Climate change; Energy; Electricity; Engineering; Electronics; Materials; Environment
    Medicine; Diseases and symptoms; Medication; Human body; Mental health; Fitness and exercise; Diet and nutrition
    Weight loss; Sleep; Pregnancy; Drugs and alcohol
    Animals; Cats and dogs; Birds; Fish; Insects; Dinosaurs; Plants and gardening; Farming
    Countries and capitals; Cities; Maps and directions; Distances; Population; Languages of the world; Translation
    Grammar; Spelling; Meaning of words; Synonyms; Rhymes; Letters of words; Word count; Pronunciation
    Language learning
    History; Ancient history; World wars; War and military; Weapons; Politics; Elections; Presidents; Government; Law
    Crime; Police; Human rights; Immigration; Economy; Society and culture; Gender and sexuality
    News and current events; Internet access; Conspiracy theories
    Famous people; Biographies; Scientists; Actors; Musicians; Writers; Athletes; Fictional characters; Superheroes
    Movies; TV series; Anime and manga; Comics; Video games; Board games; Chess; Card games; Music; Song lyrics
    Musical instruments; Books and novels; Art and painting; Photography; Theatre and dance; Architecture
    Fashion and clothes; Toys
    Football; Basketball; Baseball; Tennis; Cycling; Running; Winter sports; Olympic games; Sports
    Cooking and recipes; Food; Drinks; Coffee and tea; Restaurants; Food orders; Grocery shopping
    Travel planning; Flights; Hotels; Trains and buses; Taxi rides; Cars; Car repair; Motorcycles; Traffic
    Beaches and holidays; Visa and passport; Luggage
    Weather; Time and date; Calendar; Alarms and timers; Reminders; To-do lists; Meetings; Appointments
    Vacation days; Birthdays; Parties and events; Weddings; Gifts
    Family; Children and parenting; Love and relationships; Dating and flirting; Friends; Names; Age; Colors
    Personal details; Home and furniture; Household chores; Home repairs; Lights and appliances; Real estate
    Apartments; Moving house; Neighbors
    Jobs and careers; Job interviews; Resumes and cover letters; Job postings; Hiring; Salary; Workplace; Leadership
    Employee training; Project management; School; University; Exams and tests; Homework; Lesson plans
    Research papers; Scholarships
    Business ideas; Business plans; Startups; Marketing; Advertising; Social media posts; Search engine optimization
    Branding and logos; Product descriptions; Sales; Customer service; Market research; Surveys; Companies
    Supply chain; Inventory; Contracts; Quotes and estimates; Invoices; Accounting; Taxes; Insurance
    Money; Personal finance; Bank account; Account balance; Money transfers; Credit cards; Loans and mortgages
    Interest rates; Savings; Investing; Stock market; Cryptocurrency; Prices and costs; Payments; Currency exchange
    Fees; Fraud; Refunds
    Online shopping; Orders; Order status; Delivery; Returns; Order cancellation; Discounts and offers
    Product quality; Product availability; Complaints; Warranty; Subscriptions; Password change; Login
    Identity verification; Change of address; Contact with support; Phone numbers; Opening hours; Nearby stores
    Lost or stolen items
    Computers; Smartphones; Apps; Software; Operating systems; Linux commands; Networks; Cybersecurity; Hacking
    Websites; Web development; Databases; SQL queries; Spreadsheets and formulas; Cloud services; Servers
    Application interfaces; Python code; JavaScript code; C and C++ code; Java code; HTML and CSS; Shell scripts
    Regular expressions; Write code; Fix code; Explain code; Algorithms and data structures; Data analysis; Charts
    Game development; Software installation; Version control; Image generation; Image editing; Text art
    Speech and audio; Video editing
    Stories; Poems; Songwriting; Essays; Emails; Letters; Articles; Speeches; Movie scripts; Summaries; Rewriting
    Proofreading; Extraction of information; Text formatting; Tables; Lists; Plans; Explicit content
    Illegal activities
    """.strip().splitlines()
    for subject in line.split(";")
)

MIN_FIT = 0.3
"""Fit of a subject below which it is not considered: it would be true for few texts."""


class Subject(NamedTuple):
    """A subject and its fit for a topic."""

    text: str
    fit: float


def rank_subjects(fits: dict[str, float]) -> list[Subject]:
    """Subjects that fit well, best first; ``fits`` has the fit of each subject."""
    found = [Subject(text, round(fit, 3)) for text, fit in fits.items() if round(fit, 3) >= MIN_FIT]
    return sorted(found, key=lambda subject: (-subject.fit, subject.text))
