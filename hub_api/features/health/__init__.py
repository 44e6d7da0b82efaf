"""Health: is the hub able to take an order?"""
