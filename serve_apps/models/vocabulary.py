"""The words that zero-shot tags choose from when a spec names no vocabulary of its own. Data, nothing else.

Things, places and occasions that people photograph and later look for; one word for one thing, so that two do not
split a score. In braces is where the word goes.
"""

PROMPTS = ("a photo of {}.", "a picture showing {}.")

TEXT = """
a person, a baby, a child, a couple, a crowd, a group of friends, a family, a selfie, a portrait, a bride,
a cat, a dog, a bird, a horse, a cow, a sheep, a goat, a pig, a chicken, a duck, a rabbit, a squirrel, a deer,
a fox, a bear, an elephant, a giraffe, a zebra, a lion, a tiger, a monkey, a camel, a snake, a lizard, a turtle,
a frog, a fish, a shark, a whale, a dolphin, a seal, a penguin, an owl, an eagle, a parrot, a butterfly, a bee,
a spider, a beetle, a snail, a crab, an octopus, a jellyfish, coral,
a flower, a rose, a sunflower, a tree, a palm tree, a cactus, a mushroom, grass, autumn leaves, a garden,
a forest, a meadow, a field of crops, a vineyard, a desert, sand dunes, a mountain, a hill, a valley, a canyon,
a cliff, a cave, a volcano, a glacier, snow, ice, a river, a lake, a waterfall, the sea, a beach, waves, an island,
a coral reef, the sky, clouds, a rainbow, a sunset, a sunrise, the moon, stars at night, lightning, fog, rain,
a city skyline, a street, an alley, a market, a square, a park, a playground, a swimming pool, a stadium,
a church, a mosque, a temple, a castle, a palace, a monument, a statue, a fountain, ruins, a tower, a skyscraper,
a house, a cottage, a farm, a barn, a windmill, a lighthouse, a bridge, a tunnel, a harbour, a pier, a dam,
an airport, a train station, a petrol station, a factory, a construction site, a cemetery,
a car, a bus, a lorry, a motorcycle, a bicycle, a train, a tram, a ship, a sailing boat, a canoe, an aeroplane,
a helicopter, a hot air balloon, a rocket, a tractor, a tent, a caravan,
a living room, a kitchen, a bedroom, a bathroom, an office, a classroom, a library, a restaurant, a cafe, a bar,
a shop, a supermarket, a museum, a theatre, a gym, a hospital, a staircase, a fireplace, a window, a door,
a chair, a sofa, a bed, a table, a lamp, a mirror, a clock, a candle, a mug, a bottle, a vase, a bag, a shoe, a hat,
glasses, a watch, jewellery, a toy, a teddy bear, a ball, a balloon, a book, a newspaper, a computer, a phone,
a camera, a television, a guitar, a piano, a violin, drums, a painting, a drawing, graffiti, a map, a sign,
a document, a receipt, a screenshot, handwriting,
a meal, breakfast, bread, a cake, a pizza, a hamburger, sushi, noodles, soup, a salad, fruit, vegetables, cheese,
ice cream, a cup of coffee, a cup of tea, a glass of wine, a beer, a cocktail, a barbecue,
a birthday party, a wedding, a Christmas tree, fireworks, a concert, a parade, a picnic, a graduation,
football, basketball, tennis, swimming, running, cycling, skiing, surfing, climbing, sailing, fishing, dancing
"""
WORDS = tuple(word.strip() for word in TEXT.split(","))
