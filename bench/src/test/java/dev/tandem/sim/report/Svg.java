package dev.tandem.sim.report;

import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;

import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

/// A picture read back.
///
/// @param polylines the points of each line
/// @param ticks texts at the axes, x before y
record Svg(List<List<double[]>> polylines, List<String> ticks, List<String> legend) {

    /// @throws AssertionError it is not well-formed
    static Svg parse(String text) {
        try {
            Document document =
                    DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(new InputSource(new StringReader(text)));
            List<List<double[]>> lines = new ArrayList<>();
            NodeList found = document.getElementsByTagName("polyline");
            for (int i = 0; i < found.getLength(); i++) {
                lines.add(points(((Element) found.item(i)).getAttribute("points")));
            }
            return new Svg(lines, texts(document, "tick"), texts(document, "legend"));
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new AssertionError("not well-formed: " + e.getMessage(), e);
        }
    }

    private static List<double[]> points(String text) {
        List<double[]> points = new ArrayList<>();
        for (String point : text.isBlank() ? new String[0] : text.strip().split(" ")) {
            String[] xy = point.split(",");
            points.add(new double[] {Double.parseDouble(xy[0]), Double.parseDouble(xy[1])});
        }
        return points;
    }

    private static List<String> texts(Document document, String kind) {
        List<String> texts = new ArrayList<>();
        NodeList found = document.getElementsByTagName("text");
        for (int i = 0; i < found.getLength(); i++) {
            Element element = (Element) found.item(i);
            if (element.getAttribute("class").equals(kind)) {
                texts.add(element.getTextContent());
            }
        }
        return texts;
    }
}
