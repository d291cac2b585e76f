using KubeLB.Manager.Settings;
using Member = KubeLB.Manager.Settings.PlacesByAge.Member;

namespace KubeLB.Manager.Tests.Settings;

public sealed class PlacesByAgeTests
{
    private readonly PlacesByAge _places = new();

    [Fact]
    public void Without_a_limit_everybody_has_a_place()
    {
        _places.Add(Of(2)).Should().BeEmpty();
        _places.Add(Of(1)).Should().BeEmpty();

        _places.Has(Of(1)).Should().BeTrue();
        _places.Has(Of(2)).Should().BeTrue();
        _places.Has(Of(3)).Should().BeFalse("it is not known");
    }

    [Fact]
    public void The_oldest_have_the_places_whatever_the_order_in_which_they_are_seen()
    {
        _places.SetLimit(2);

        _places.Add(Of(2)).Should().BeEmpty();
        _places.Add(Of(3)).Should().BeEmpty();
        _places.Add(Of(4)).Should().BeEmpty("it turned nobody else's verdict");
        _places.Add(Of(1)).Should().Equal(Of(3));

        Holders(1, 2, 3, 4).Should().Equal(1, 2);
    }

    [Fact]
    public void Of_one_age_the_first_by_name_has_the_place()
    {
        _places.SetLimit(1);
        _places.Add(new Member(DateTime.UnixEpoch, "b"));

        _places.Add(new Member(DateTime.UnixEpoch, "a")).Should().Equal(new Member(DateTime.UnixEpoch, "b"));
    }

    [Fact]
    public void When_one_goes_the_next_one_gets_its_place()
    {
        _places.SetLimit(1);
        _ = (_places.Add(Of(1)), _places.Add(Of(2)), _places.Add(Of(3)));

        _places.Remove(Of(3)).Should().BeEmpty("it had no place");
        _places.Remove(Of(1)).Should().Equal(Of(2));
        _places.Remove(Of(1)).Should().BeEmpty();
        _places.Remove(Of(2)).Should().BeEmpty();
        _places.Count.Should().Be(0);
    }

    [Fact]
    public void A_member_that_is_added_again_changes_nothing()
    {
        _places.SetLimit(1);
        _ = (_places.Add(Of(1)), _places.Add(Of(2)));

        _places.Add(Of(1)).Should().BeEmpty();
        _places.Add(Of(2)).Should().BeEmpty();
        _places.Count.Should().Be(2);
        Holders(1, 2).Should().Equal(1);
    }

    [Fact]
    public void A_limit_that_changes_turns_the_verdict_of_those_between()
    {
        for (var i = 1; i <= 1000; i++)
        {
            _places.Add(Of(i));
        }

        _places.SetLimit(998).Should().BeEquivalentTo([Of(999), Of(1000)]);
        _places.SetLimit(998).Should().BeEmpty();
        _places.SetLimit(999).Should().Equal(Of(999));
        _places.SetLimit(5000).Should().Equal(Of(1000));
        _places.SetLimit(null).Should().BeEmpty();
        _places.SetLimit(0).Should().HaveCount(1000);
    }

    [Fact]
    public void After_any_changes_the_holders_are_the_oldest_and_who_turned_was_told()
    {
        var random = new Random(1);
        var present = new SortedSet<int>();
        var told = new HashSet<int>();
        int? limit = null;
        for (var step = 0; step < 5_000; step++)
        {
            var before = Oldest(present, limit);
            var changed = random.Next(60);
            IEnumerable<Member> turned;
            switch (random.Next(5))
            {
                case 0:
                    (limit, changed) = (random.Next(4) == 0 ? null : random.Next(20), -1);
                    turned = _places.SetLimit(limit);
                    break;
                case < 3:
                    present.Add(changed);
                    turned = _places.Add(Of(changed));
                    break;
                default:
                    present.Remove(changed);
                    turned = _places.Remove(Of(changed));
                    break;
            }

            var after = Oldest(present, limit);
            told = [.. turned.Select(m => int.Parse(m.Name))];
            told.Should().BeEquivalentTo(after.Except(before).Concat(before.Except(after)).Where(i => i != changed));
            Holders([.. present]).Should().Equal(after);
        }
    }

    private static List<int> Oldest(SortedSet<int> present, int? limit) => [.. present.Take(limit ?? int.MaxValue)];

    private IEnumerable<int> Holders(params int[] members) => members.Where(i => _places.Has(Of(i)));

    private static Member Of(int age) => new(DateTime.UnixEpoch.AddSeconds(age), $"{age:0000}");
}
